"""The rules about people; standard library only."""
