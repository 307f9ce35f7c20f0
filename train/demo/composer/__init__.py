"""A dance song composed and rendered by numpy and scipy: form and harmony, melody, drums, instruments, mix."""
