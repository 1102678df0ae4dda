"""What each origin answers. The frames of all pages, their texts and their scripts are invented."""
