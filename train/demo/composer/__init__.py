"""A dance song composed and rendered by numpy alone: form and harmony, melody, drums, instruments, mix."""
