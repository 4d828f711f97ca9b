"""The invented notes that come with ChartProof: one folder each, with its claim and a page on what it teaches."""
