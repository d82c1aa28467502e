"""The main job, played through the public door and checked from outside."""
