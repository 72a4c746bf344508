"""Everything outside the pure core: state, mail servers, attachments, clock."""
