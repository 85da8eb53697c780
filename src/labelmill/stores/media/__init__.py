"""Pictures and recordings that items name: found without leaving their folder, decoded without trust."""
