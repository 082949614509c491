#!/usr/bin/env python3
# Puts an OCI image together from folders and tars, without a container engine.
#
# Usage: oci.py --name NAME:TAG --output DIR [OPTION...] LAYER...
#
# A LAYER is a folder, or a tar (plain, gzip, zstd or xz); the first is the lowest. Of a folder all is taken but the
# folder's own mode. A tar is taken as it is: who makes it sorts it and sets its times.
#
# DIR/layout becomes an OCI layout. DIR/tools.tar (for a NAME ending in `tools`) becomes an archive of it, for
# `ctr image import`, `skopeo copy oci-archive:…`, `podman load` and `docker load`. The manifest's digest is printed.
#
# The same inputs give the same bytes. SOURCE_DATE_EPOCH is the image's date, and no file is newer (default: 0).
import argparse
import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = "https://github.com/kubefarm/kubefarm"
# By which bytes a packed tar starts, and what unpacks it.
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MEDIA = "application/vnd.oci.image."


class Failure(Exception):
    """What the user can do something about."""


def arguments():
    parser = argparse.ArgumentParser(description="Put an OCI image together from folders and tars.")
    machine = os.uname().machine
    parser.add_argument("--name", required=True, help="the image's name with its tag: ghcr.io/kubefarm/boot:v0.1.0")
    parser.add_argument("--output", required=True, help="the folder for the layout and the archive")
    parser.add_argument("--architecture", default=ARCHITECTURES.get(machine, machine), help="amd64, arm64 …")
    parser.add_argument("--level", type=int, default=6, choices=range(10), help="gzip's level; 0 packs nothing")
    parser.add_argument("--owner", help="UID:GID that owns all in the folders; without it, whoever does")
    parser.add_argument("--config", help="a JSON file with the image's `config`, under what the options say")
    parser.add_argument("--user", help="UID:GID that runs in it")
    parser.add_argument("--entrypoint", type=words, help='a JSON list: ["/boot"]')
    parser.add_argument("--cmd", type=words, help='a JSON list: ["sleep", "infinity"]')
    parser.add_argument("--env", action="append", type=pair, default=[], metavar="NAME=VALUE")
    parser.add_argument("--label", action="append", type=pair, default=[], metavar="NAME=VALUE")
    parser.add_argument("--description", help="one sentence")
    parser.add_argument("--licenses", help="an SPDX expression")
    parser.add_argument("--revision", help="the commit that it is built from")
    parser.add_argument("layers", nargs="+", metavar="LAYER")
    options = parser.parse_args()
    date = os.environ.get("SOURCE_DATE_EPOCH") or "0"
    if not date.isdecimal():
        parser.error(f"SOURCE_DATE_EPOCH={date}: has to be seconds since 1970")
    options.date = int(date)
    options.repository, _, options.tag = options.name.rpartition(":")
    if not options.repository or "/" in options.tag or "@" in options.name:
        parser.error(f"--name {options.name}: has no tag: write {options.name}:v1, say")
    return options


def words(text):
    value = json.loads(text)
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError
    return value


def pair(text):
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError
    return name, value


def created(date):
    return datetime.datetime.fromtimestamp(date, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def sorted_tar(date):
    """GNU tar, told to write the same bytes whenever it runs."""
    return ["tar", "--create", "--sort=name", "--format=posix", "--numeric-owner", f"--mtime=@{date}",
            "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"]


def producer(layer, options):
    """The command that writes a layer's plain tar to its standard output."""
    if os.path.isdir(layer):
        # Its own entry would give the image's root the mode of a scratch folder, which is 0700.
        names = sorted(os.listdir(layer))
        if not names:
            raise Failure(f"{layer}: is empty: a layer needs a file")
        command = sorted_tar(options.date) + ["--clamp-mtime", "--xattrs", "--xattrs-include=security.capability"]
        if options.owner:
            owner, _, group = options.owner.partition(":")
            command += [f"--owner=:{owner}", f"--group=:{group or owner}"]
        return command + [f"--directory={layer}", "--"] + names
    with open(layer, "rb") as file:
        start = file.read(6)
    for magic, program in PACKED.items():
        if start.startswith(magic):
            return [program, "--decompress", "--stdout", layer]
    return ["cat", layer]


class Blobs:
    """The content-addressed files of a layout."""

    def __init__(self, layout):
        self.folder = os.path.join(layout, "blobs", "sha256")
        os.makedirs(self.folder)

    def add_file(self, path, media):
        with open(path, "rb") as file:
            checksum = hashlib.sha256()
            while chunk := file.read(1 << 20):
                checksum.update(chunk)
            size = file.tell()
        digest = checksum.hexdigest()
        os.replace(path, os.path.join(self.folder, digest))
        return {"mediaType": MEDIA + media, "digest": f"sha256:{digest}", "size": size}

    def add_json(self, value, media):
        path = os.path.join(self.folder, "new")
        write_json(path, value)
        return self.add_file(path, media)

    def add_layer(self, command, level):
        """Its descriptor, and the digest of its plain tar, which the image's configuration wants."""
        path = os.path.join(self.folder, "new")
        # Without a name and a time in its header, gzip's output depends on nothing but its input.
        pack = ["gzip", "-n", f"-{level}"] if level else ["cat"]
        checksum = hashlib.sha256()
        with open(path, "wb") as file:
            writer = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"})
            packer = subprocess.Popen(pack, stdin=subprocess.PIPE, stdout=file)
            while chunk := writer.stdout.read(1 << 20):
                checksum.update(chunk)
                packer.stdin.write(chunk)
            packer.stdin.close()
            if writer.wait() or packer.wait():
                raise Failure(f"{command[0]} failed on {command[-1]}")
        media = "layer.v1.tar" + ("+gzip" if level else "")
        return self.add_file(path, media), f"sha256:{checksum.hexdigest()}"


def annotations(options):
    named = {
        "created": created(options.date),
        "description": options.description,
        "licenses": options.licenses,
        "revision": options.revision,
        "source": SOURCE,
        "title": options.repository.rpartition("/")[2],
        "version": options.tag,
    }
    return {f"org.opencontainers.image.{name}": value for name, value in named.items() if value}


def runtime(options):
    """What the image says of running it. The file's settings are there unless an option names them."""
    config = {}
    if options.config:
        with open(options.config, encoding="utf-8") as file:
            config = json.load(file)
    for key, value in (("User", options.user), ("Entrypoint", options.entrypoint), ("Cmd", options.cmd)):
        if value is not None:
            config[key] = value
    variables = dict(entry.split("=", 1) for entry in [PATH] + config.get("Env", []))
    variables.update(options.env)
    config["Env"] = [f"{name}={value}" for name, value in variables.items()]
    # Docker shows labels, registries show annotations.
    config["Labels"] = {**annotations(options), **config.get("Labels", {}), **dict(options.label)}
    return config


def write_layout(layout, options):
    blobs = Blobs(layout)
    layers, plain = zip(*(blobs.add_layer(producer(layer, options), options.level) for layer in options.layers))
    history = [{"created": created(options.date), "created_by": "kubefarm images/oci.py"} for _ in layers]
    config = {
        "created": created(options.date),
        "architecture": options.architecture,
        "os": "linux",
        "config": runtime(options),
        "rootfs": {"type": "layers", "diff_ids": plain},
        "history": history,
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MEDIA + "manifest.v1+json",
        "config": blobs.add_json(config, "config.v1+json"),
        "layers": layers,
        "annotations": annotations(options),
    }
    descriptor = blobs.add_json(manifest, "manifest.v1+json")
    descriptor["platform"] = {"architecture": options.architecture, "os": "linux"}
    # containerd and podman take the name from the first, skopeo from the second.
    descriptor["annotations"] = {
        "io.containerd.image.name": options.name,
        "org.opencontainers.image.ref.name": options.tag,
    }
    index = {"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": [descriptor]}
    write_json(os.path.join(layout, "index.json"), index)
    write_json(os.path.join(layout, "oci-layout"), {"imageLayoutVersion": "1.0.0"})
    write_json(os.path.join(layout, "manifest.json"), [for_docker(manifest, options.name)])
    return descriptor["digest"]


def for_docker(manifest, name):
    """The format of `docker save`, which a Docker without containerd's image store reads instead of the layout."""
    def path(descriptor):
        return "blobs/" + descriptor["digest"].replace(":", "/")

    return {"Config": path(manifest["config"]), "RepoTags": [name], "Layers": [path(layer) for layer in manifest["layers"]]}


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")


def write_archive(layout, archive, date):
    command = sorted_tar(date) + ["--owner=:0", "--group=:0", "--mode=u=rwX,go=rX", f"--directory={layout}"]
    names = sorted(os.listdir(layout))
    subprocess.run(command + [f"--file={archive}"] + names, check=True, env={**os.environ, "LC_ALL": "C"})


def put(options):
    """Both results come into the place of the ones before once they are whole."""
    os.makedirs(options.output, exist_ok=True)
    layout = os.path.join(options.output, "layout")
    if os.path.exists(layout) and not os.path.exists(os.path.join(layout, "oci-layout")):
        raise Failure(f"{layout}: is there and is not an OCI layout: name another folder with --output")
    archive = os.path.join(options.output, options.repository.rpartition("/")[2] + ".tar")
    with tempfile.TemporaryDirectory(prefix=".oci-", dir=options.output) as work:
        half = os.path.join(work, "layout")
        os.mkdir(half, 0o755)
        digest = write_layout(half, options)
        write_archive(half, os.path.join(work, "archive"), options.date)
        # A layout has no such file.
        os.remove(os.path.join(half, "manifest.json"))
        shutil.rmtree(layout, ignore_errors=True)
        os.rename(half, layout)
        os.replace(os.path.join(work, "archive"), archive)
    return digest


def main():
    options = arguments()
    try:
        print(put(options))
    except (Failure, OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"{sys.argv[0]}: {error}")


if __name__ == "__main__":
    main()
