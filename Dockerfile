# syntax=docker/dockerfile:1
# docker build -t earmark . && docker run --read-only -v earmark:/srv/var -p 127.0.0.1:8000:8000 earmark
# A worker is the same image with the command `python -m app deliver`; compose.yaml shows all of it together.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates binutils \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /tmp/requirements.txt
# Where packages come from can be said by a pip.conf and whom to trust there by a ca.crt, given as secrets of these names:
# they stay out of the image. Taken away: the installer, tests, symbols, and languages that the service does not speak.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt \
    python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-compile --require-hashes --only-binary :all: -r /tmp/requirements.txt \
    && /opt/venv/bin/pip uninstall --yes --quiet setuptools pip \
    && find /opt/venv -depth -type d \( -name tests -o -name test -o -name __pycache__ \) -exec rm -r {} + \
    && find /opt/venv/lib/python3*/site-packages/babel/locale-data -type f ! -name 'da*' ! -name 'en*' ! -name root.dat -delete \
    && find /opt/venv/lib/python3*/site-packages/pycountry/locales -mindepth 1 -maxdepth 1 ! -name da -exec rm -r {} + \
    && find /opt/venv -name '*.so' -size +1M -exec strip --strip-unneeded {} + \
    && /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="Earmark" \
      org.opencontainers.image.description="Where Denmark's Ministry of Foreign Affairs and IOM settle which softly earmarked proposals are funded" \
      org.opencontainers.image.vendor="Ministry of Foreign Affairs of Denmark" \
      org.opencontainers.image.version="1.0.0"
# The client programs of PostgreSQL are for `backup` and `restore`; they serve servers of their own version and older ones.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 ca-certificates postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* /usr/share/doc/* /usr/share/man/* \
    && useradd --system --uid 10001 --home-dir /srv earmark \
    && install -d -o earmark -g earmark /srv/var
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv
COPY alembic.ini ./
COPY app ./app
COPY migrations ./migrations
COPY rules ./rules
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash app migrations
# Nothing is written outside /srv/var, so the rest can be read-only; what is put aside while it is sent has no name there.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TMPDIR=/srv/var \
    EARMARK_HOST=0.0.0.0 \
    EARMARK_VAR=/srv/var \
    EARMARK_DRAIN_SECONDS=5
USER 10001
VOLUME /srv/var
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ.get(\"EARMARK_PORT\", 8000)}/health/ready', timeout=4)"]
# Several may start at once: they take turns at migrating.
CMD ["sh", "-c", "python -m app migrate && exec python -m app serve"]
