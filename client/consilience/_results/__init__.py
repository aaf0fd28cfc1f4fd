"""What calls answer: frozen values."""
