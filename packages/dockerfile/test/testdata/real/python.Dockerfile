FROM python:3.13-slim as builder
ENV PYTHONUNBUFFERED 1
ENV PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=off \
    PIP_DEFAULT_TIMEOUT=100
# build dependencies
RUN apt-get update \
    && apt-get install --no-install-recommends -y \
        build-essential \
        # for psycopg
        libpq-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements/*.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip pip wheel -w /wheels -r /tmp/prod.txt
FROM python:3.13-slim
COPY --from=builder /wheels /wheels
RUN pip install --no-index --find-links=/wheels /wheels/* && useradd -m app
USER app
WORKDIR /home/app
ADD --chown=app:app src/ ./
CMD gunicorn -b :$PORT app:wsgi
