"""Pure translators between the messages of the contract and the values of the use cases."""
