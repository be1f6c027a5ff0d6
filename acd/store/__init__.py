"""Keeps what happened: tables, records written in batches off the call path, and the queries of reports.

Nothing here is asked while a caller waits. Records go in as facts (`records.py`) and come out as reports
(`reports.py`); what stands between is a pure translation (`rows.py`). SQLite and PostgreSQL are equal.
"""
