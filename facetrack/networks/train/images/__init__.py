"""Networks that name what a picture shows, trained as the papers train theirs."""
