"""What the user can do. Each operator checks, starts or writes through the rooms below; none holds state."""
