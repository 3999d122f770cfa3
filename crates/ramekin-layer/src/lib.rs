//! Layers: tar streams of changes, applied to and made from directory trees.
