# The pins of requirements.txt and constraints.txt, and the library. Never built by the project: see docs/guides/cluster.md.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/defocus
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir --requirement requirements.txt --constraint constraints.txt

COPY pyproject.toml README.md LICENSE ./
COPY defocus_core defocus_core
COPY workflow_support workflow_support
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

CMD ["defocus", "--help"]
