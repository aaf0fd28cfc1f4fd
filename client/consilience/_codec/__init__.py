"""Messages of the contract as results."""
