# One image for all processes of the shop. docs/containers.md says how to build and to run it.
# To pin more than the version: --build-arg PYTHON_IMAGE=python@sha256:…
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
# The time of all files, so that two builds of the same are the same.
ARG SOURCE_DATE_EPOCH=1767225600

# The system: of the base image, what the shop needs.
FROM ${PYTHON_IMAGE} AS system
ARG SOURCE_DATE_EPOCH
COPY deploy/image/system.sh /tmp/
RUN sh /tmp/system.sh /system /python

# The packages, at the versions of requirements.txt.
FROM ${PYTHON_IMAGE} AS packages
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
COPY requirements.txt /tmp/
# For an index of one's own: --secret id=pip.conf,src=… and, with `cert = /run/secrets/ca.pem` in it,
# --secret id=ca.pem,src=… Nothing of them is kept.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.pem \
    python -m venv --without-pip /opt/venv && \
    pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --only-binary :all: -r /tmp/requirements.txt
COPY deploy/image/packages.py /tmp/
RUN python /tmp/packages.py /opt/venv/lib/python3.*/site-packages

# Both with the shop, and the bytecode of all.
FROM scratch AS compiled
ARG SOURCE_DATE_EPOCH
COPY --from=system /system /
COPY --from=system /python /usr/local
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY grocery grocery
COPY migrations migrations
COPY wsgi.py ./
COPY deploy/image/bytecode.py /tmp/
RUN chmod -R u=rwX,go=rX . && \
    PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 /opt/venv/bin/python /tmp/bytecode.py && \
    find /usr/local /opt /app -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Grocery" \
      org.opencontainers.image.description="An online grocery: shop, API, workers, relay and streams" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=system /system /
COPY --from=compiled /usr/local /usr/local
COPY --from=compiled /opt/venv /opt/venv
COPY --from=compiled /app /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    DATA_DIR=/data \
    LOG_FORMAT=json \
    LIVENESS_FILE=/tmp/grocery-alive \
    RQ_WORKER_CLASS=grocery.worker.Worker
WORKDIR /app
USER 10001:10001
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
# Each process keeps a sign of life of its own; looking at it takes 40 ms.
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s --retries=3 CMD ["python", "-m", "grocery.probe"]
CMD ["python", "-m", "grocery.serving"]
