"""Bytes in, model out, and back. No input or output of their own: whoever calls has read the bytes and writes them."""
