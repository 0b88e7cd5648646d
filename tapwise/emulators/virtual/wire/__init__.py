"""adbd's side of the wire: links, streams and the services that clients open on a virtual phone."""
