"""Train the network that votes in fusion: python tools/train_fusion_votes.py OUT.safetensors FOLDER OF PHOTOGRAPHS...

Prints, after every hundred steps, the share of what right votes gain that its votes lose. To use the weights, put them
in the place of defocus_core/applications/fusion/weights/votes.safetensors.
"""

import sys

from defocus_core.applications.fusion.vote_training import PHOTOGRAPH_SIDE, train_votes
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.networks.small_weights import save_half

if __name__ == "__main__":
    out, *folders = sys.argv[1:]
    photographs = [square for folder in folders for square in center_squares(PHOTOGRAPH_SIDE, folder, limit=250)]
    for network, lost in train_votes(photographs, stacks=700, steps=15_000):
        print(f"{lost:.4f}", flush=True)
        save_half(network, out)
