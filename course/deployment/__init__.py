"""The robot at work: streams of frames, days in a lobby, and what its decisions cost."""
