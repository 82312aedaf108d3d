"""What reading policy in any dialect takes: values out of documents, and what their texts mean."""
