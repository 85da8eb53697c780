"""People's side of a project in a database: users, tasks, leases, votes, log. SQLite or PostgreSQL."""
