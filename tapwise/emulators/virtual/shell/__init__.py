"""The phone's shell: a POSIX shell interpreted in this process over the virtual phone, never over the host."""
