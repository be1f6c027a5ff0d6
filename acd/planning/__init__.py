"""Planning: the formulas of Erlang, the real center under a virtual clock, forecasts and staffing from both."""
