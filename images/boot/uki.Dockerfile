# A boot image with the unified kernel image of one farm, signed with your own key (docs/hardened-boot.md). For those who
# have a container engine with BuildKit or Buildah; uki.sh and build.sh --uki beside this file need none. Nothing of the
# system is built again. In the folder `images`:
#
#   docker build -f images/boot/uki.Dockerfile --build-arg BOOT=IMAGE --build-arg SERVER=ADDRESS \
#       --build-arg CONFIG_KEY=KEY --secret id=key,src=boot.key --secret id=certificate,src=boot.crt -t NAME images
#
# PARAMETERS are more for the kernel. uki.sh says what the others mean.

# The boot image that the result is for.
ARG BOOT
ARG DEBIAN_RELEASE=trixie

FROM ${BOOT} AS boot

FROM debian:${DEBIAN_RELEASE}-slim AS sign
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils sbsigntool systemd-boot-efi \
    && rm -rf /var/lib/apt/lists/*
COPY boot/uki.sh /
COPY --from=boot /srv/tftp/ltsp/x86_64 /x86_64
ARG SERVER
ARG CONFIG_KEY
ARG PARAMETERS=
RUN --mount=type=secret,id=key,required=true --mount=type=secret,id=certificate,required=true \
    /uki.sh --release /x86_64 --server "$SERVER" --config-key "$CONFIG_KEY" --parameters "$PARAMETERS" \
    --key /run/secrets/key --certificate /run/secrets/certificate --output /kubefarm.efi

FROM boot
COPY --from=sign /kubefarm.efi /srv/tftp/ltsp/uki/kubefarm.efi
