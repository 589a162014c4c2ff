"""The texts of eseutil."""
