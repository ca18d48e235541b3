"""What is measured, for people and programs: tables, JSON, pages, plots and intervals."""
