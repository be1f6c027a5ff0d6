"""What a flow may ask of the house's own systems, and how a caller proves who they are.

A service is a name that flows use and pasokh.toml explains: an HTTP question, an SQL statement, or example data.
Whatever the other side does (late, wrong, too much, somebody else's), a flow hears one of three words: `found`,
`not_found` or `failed`.
"""
