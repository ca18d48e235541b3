"""What is learned of one person: examples, the learner, the personal residual, profiles."""
