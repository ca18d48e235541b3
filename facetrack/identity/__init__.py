"""Who is who, and what is known of each person: appearance, and what was taught."""
