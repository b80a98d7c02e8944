"""Train the network that votes in fusion: python tools/train_fusion_votes.py OUT.safetensors FOLDER OF PHOTOGRAPHS...

Goes on from OUT.safetensors if it is there, more slowly and by other scenes. Prints, after every hundred steps, the
share of what right votes gain that its votes lose. To use the weights, put them in the place of
defocus_core/applications/fusion/weights/votes.safetensors.
"""

import sys
from pathlib import Path

from defocus_core.applications.fusion.vote_network import VoteNetwork
from defocus_core.applications.fusion.vote_training import PHOTOGRAPH_SIDE, train_votes
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.networks.small_weights import load_half, save_half

FIRST = {"stacks": 700, "steps": 15_000}
AGAIN = {"stacks": 400, "steps": 7_000, "peak_rate": 1.5e-3, "seed": 1}

if __name__ == "__main__":
    out, *folders = sys.argv[1:]
    photographs = [square for folder in folders for square in center_squares(PHOTOGRAPH_SIDE, folder, limit=100)]
    how = {**AGAIN, "start": load_half(VoteNetwork(), Path(out))} if Path(out).exists() else FIRST
    for network, lost in train_votes(photographs, **how):
        print(f"{lost:.4f}", flush=True)
        save_half(network, out)
