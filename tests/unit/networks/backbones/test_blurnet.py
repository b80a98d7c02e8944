import torch

from defocus_core.networks.classifier import build_classifier

SIGMAS = torch.linspace(0, 10, 20)


def test_blurnet_over_an_image_is_blurnet_over_its_windows():
    model = build_classifier("blurnet", SIGMAS).eval()
    image = torch.rand(1, 1, 60, 72)
    for step in (4, 8):
        windows = image.unfold(2, 32, step).unfold(3, 32, step)[0, 0]
        rows, columns = windows.shape[:2]
        with torch.inference_mode():
            loop = model(windows.reshape(-1, 1, 32, 32)).T.reshape(1, 20, rows, columns)
            torch.testing.assert_close(model.dense(image, step=step), loop, atol=1e-5, rtol=1e-4)
