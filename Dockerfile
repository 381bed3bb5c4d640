# joingate as a container: built from the lock file, without pip or a compiler in what runs.
#   docker build -t joingate .
#   docker run --read-only --cap-drop ALL -p 8080:8080 -v "$PWD/etc:/etc/joingate:ro" -v ledger:/var/lib/joingate joingate
# where etc/ holds joingate.toml (gate.listen = ["0.0.0.0:8080"]), rules and databases; see deploy/README.md.
# Python 3.11 is the oldest that joingate supports, and bookworm's own; the same in both stages, for the venv's sake.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# The builder's pip fills a venv that has none of its own.
RUN python -m venv --without-pip /opt/joingate
WORKDIR /build
COPY requirements.lock ./
RUN pip --python /opt/joingate/bin/python install --no-compile --only-binary :all: --require-hashes -r requirements.lock
# What builds the package is locked too, and stays behind: it goes into the builder's own Python.
COPY requirements-dev.lock ./
RUN sed -n '/^flit-core==/,/# via/p' requirements-dev.lock > build.lock \
 && pip install --only-binary :all: --require-hashes -r build.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && pip --python /opt/joingate/bin/python install --no-compile --no-index --no-deps wheels/joingate-*.whl
# Compiled now, since nothing can be written later. Unchecked hashes: the files cannot change under a read-only root.
RUN /opt/joingate/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/joingate/lib

FROM ${PYTHON}
LABEL org.opencontainers.image.title="joingate" \
      org.opencontainers.image.description="A territorial gate in front of meeting-join endpoints" \
      org.opencontainers.image.licenses="Apache-2.0"
# The base image's own pip; the venv has none.
RUN rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
           /usr/local/bin/idle* /usr/local/bin/wheel
COPY --from=builder /opt/joingate /opt/joingate
# The record of every restriction. A volume, so that it outlives the container; owned by the gate's user from the start.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/joingate
ENV PATH=/opt/joingate/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    JOINGATE_LEDGER__PATH=/var/lib/joingate/ledger
# A number, so that runAsNonRoot can be checked without reading /etc/passwd; 10001 is nobody on the host.
USER 10001:10001
WORKDIR /etc/joingate
VOLUME ["/etc/joingate", "/var/lib/joingate"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# The admin service answers on loopback, inside the container. No proxy from the environment may stand in between.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:9901/healthz', timeout=2)"]
ENTRYPOINT ["joingate"]
CMD ["serve", "-c", "/etc/joingate/joingate.toml"]
