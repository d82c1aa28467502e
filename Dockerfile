# One image per service: docker build --build-arg SERVICE=annonces .
# SERVICE is the name of an extra of pyproject.toml, which is that of a lock too: gateway, annonces, moderation,
# matching, notifications, catcher. Builds with BuildKit and with the older builder.

# Debian's release is left to the tag; the libraries that matter come with the wheels.
ARG PYTHON_IMAGE=python:3.11-slim

# What the service imports, at the versions that the tests ran with.
FROM ${PYTHON_IMAGE} AS packages
ARG SERVICE
# Of this build alone: a mirror of PyPI, where one is needed.
ARG PIP_INDEX_URL
RUN python -m venv /opt/env
COPY requirements/${SERVICE}.txt /tmp/requirements.txt
# Wheels only: nothing of a package is run at build time, and the slim image has no compiler anyway.
RUN /opt/env/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/requirements.txt

# The folders that belong to the service, and the command that starts it.
FROM ${PYTHON_IMAGE} AS source
ARG SERVICE
WORKDIR /source
COPY . .
RUN set -eu; \
    case "$SERVICE" in \
        gateway) module=gateway; set -- contracts kit gateway ;; \
        catcher) module=deploy.standins.mailbox; set -- deploy/__init__.py deploy/standins ;; \
        *) module=services.$SERVICE; set -- contracts kit services/__init__.py "services/$SERVICE" ;; \
    esac; \
    mkdir -p /chosen/app /chosen/bin; \
    cp --parents -r "$@" /chosen/app; \
    printf '#!/bin/sh\nexec python -m %s "$@"\n' "$module" > /chosen/bin/place-processus; \
    chmod 755 /chosen/bin/place-processus

FROM ${PYTHON_IMAGE} AS service
# Fixed numbers: volumes and « runAsUser » name them.
RUN groupadd --gid 10001 place && useradd --uid 10001 --gid place --no-create-home --home-dir /app --shell /usr/sbin/nologin place \
    # A volume takes the owner of the folder that it covers first.
    && install -d -o place -g place -m 700 /secrets /secrets/commun /secrets/gateway /secrets/annonces \
        /secrets/notifications /secrets/sms /courrier /operateur
COPY --from=packages /opt/env /opt/env
COPY --from=source /chosen/bin/ /usr/local/bin/
WORKDIR /app
COPY --from=source /chosen/app/ ./
ENV PATH=/opt/env/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    HEALTH_PORT=8081
# The root file system may be read-only: what Python would cache is made here.
RUN python -m compileall -q .
USER 10001:10001
EXPOSE 8080 8081
ENTRYPOINT ["/usr/local/bin/place-processus"]

# Makes the secrets of an installation, once; needs cryptography, hence SERVICE=notifications.
FROM service AS secrets
COPY deploy/__init__.py deploy/
COPY deploy/stack/__init__.py deploy/stack/secrets.py deploy/stack/
ENTRYPOINT ["python", "-m", "deploy.stack.secrets"]
CMD ["/secrets"]

# The last stage is what a build makes when no target is named.
FROM service
