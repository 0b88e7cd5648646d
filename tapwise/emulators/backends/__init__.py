"""Where phones come from: processes of ours, machines of others, or this very process."""
