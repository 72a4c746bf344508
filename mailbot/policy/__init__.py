"""rules -> Policy; Policy + facts -> Decision."""
