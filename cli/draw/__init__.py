"""What was found or proposed, drawn over its picture."""
