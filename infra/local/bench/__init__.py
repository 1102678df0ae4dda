"""Speed as ratios: every row measures Nightjar and what it is compared with side by side, in the same run."""
