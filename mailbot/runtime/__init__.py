"""The world around the pure core: state, mail servers, clock."""
