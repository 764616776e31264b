"""Named workloads. Figures are ratios within one run: this machine against itself."""
