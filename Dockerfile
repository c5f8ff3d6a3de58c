# syntax=docker/dockerfile:1
FROM rust:1.95-bookworm AS build
WORKDIR /src
# The dependencies are compiled in a layer of their own, which changes only with the lock file.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs benches/inspect.rs benches/decide.rs benches/audit.rs benches/proxy.rs \
    && cargo build --release --locked \
    && rm -r src
COPY config config
COPY src src
RUN touch src/lib.rs src/main.rs && cargo build --release --locked && mkdir /state

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="shekara" \
      org.opencontainers.image.description="A gatekeeper for personal data that leaves a company over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/target/release/shekara /usr/local/bin/shekara
# Registers, keys and the audit log live here: mount a volume, or they end with the container. A new volume takes over its owner.
COPY --from=build --chown=65532:65532 /state /var/lib/shekara
VOLUME ["/var/lib/shekara"]
ENV SHEKARA_CONFIG=/etc/shekara/shekara.yaml SHEKARA_STATE=/var/lib/shekara
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
# Asks /readyz of the admin listener that the configuration names. The image holds no shell and no other client.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/shekara", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/shekara"]
CMD ["run"]
