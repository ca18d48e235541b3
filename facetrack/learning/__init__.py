"""What is learned of one person: lessons, the learner, the person's own level, profiles."""
