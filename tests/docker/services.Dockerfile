# What stands for the images of Redis and HAProxy in the test: Debian's packages.
ARG BASE
FROM ${BASE}
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server haproxy && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin && install -d -o redis -g redis /data
USER redis
WORKDIR /data
VOLUME /data
