"""What is learned of one person: lessons, the learner, the personal residual, profiles."""
