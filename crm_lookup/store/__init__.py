"""The tables of customers; queries are in `crm_lookup.customers` and `crm_lookup.sources`."""
