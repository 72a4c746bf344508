"""Decision -> Reply: the letters, and the frozen bytes that go out."""
