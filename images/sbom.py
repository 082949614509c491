#!/usr/bin/env python3
# Lists what is inside an image, with the licences: an SBOM in SPDX 2.3, and a text for people.
#
# Usage: sbom.py --name NAME:TAG --output DIR [--program 'NAME VERSION LICENSE [PURL]']... [ROOT...]
#
# A ROOT is a folder or a tar with a Debian system: its packages are those that dpkg says are installed, their licences
# those of the copyright files that machines can read. A package in several roots is listed once. A --program came by
# another way; its licence is an SPDX expression.
#
# DIR/sbom.spdx.json and DIR/README are written. In our images DIR is /usr/share/doc/kubefarm-image.
#
# The same inputs give the same bytes. SOURCE_DATE_EPOCH is the date in the SBOM (default: 0).
import argparse
import datetime
import hashlib
import json
import os
import posixpath
import re
import sys
import tarfile
import urllib.parse

SOURCE = "https://github.com/kubefarm/kubefarm"
# The format of copyright files that machines can read: names of licences that SPDX calls otherwise.
# https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/#license-short-name
SPDX_NAMES = {
    "0bsd": "0BSD", "apache-2.0": "Apache-2.0", "artistic": "Artistic-1.0-Perl", "artistic-2.0": "Artistic-2.0",
    "bsd-1-clause": "BSD-1-Clause", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause",
    "bsd-4-clause": "BSD-4-Clause", "bsl-1.0": "BSL-1.0", "cc0-1.0": "CC0-1.0", "expat": "MIT", "fsfap": "FSFAP",
    "fsful": "FSFUL", "fsfullr": "FSFULLR", "isc": "ISC", "mit": "MIT", "mpl-1.1": "MPL-1.1", "mpl-2.0": "MPL-2.0",
    "openldap-2.8": "OLDAP-2.8", "openssl": "OpenSSL", "python-2.0": "Python-2.0", "x11": "X11", "zlib": "Zlib",
}
GNU = re.compile(r"(gpl|lgpl|agpl|gfdl)-(\d)(?:\.(\d))?(\+|-or-later|-only)?$", re.IGNORECASE)
NOTES = """\
What is in this image, and under which licences
===============================================

sbom.spdx.json beside this file lists every package and program with its version and licence (SPDX 2.3).

The licences of Debian's packages are in /usr/share/doc/PACKAGE/copyright, and the texts of common ones in
/usr/share/common-licenses. A licence called LicenseRef-Debian-NAME is the one called NAME in the copyright file of the
package. NOASSERTION says that a program could not read the licence: read that package's copyright file.

The source of each Debian package, by the name and version in its sourceInfo, is at https://snapshot.debian.org/.
Kubefarm's own is at https://github.com/kubefarm/kubefarm.

Not from a Debian package:
"""


def arguments():
    parser = argparse.ArgumentParser(description="List what is inside an image, with the licences.")
    parser.add_argument("--name", required=True, help="the image's name with its tag: ghcr.io/kubefarm/boot:v0.1.0")
    parser.add_argument("--output", required=True, help="the folder for sbom.spdx.json and README")
    parser.add_argument("--program", action="append", type=program, default=[], metavar="'NAME VERSION LICENSE [PURL]'")
    parser.add_argument("roots", nargs="*", metavar="ROOT")
    options = parser.parse_args()
    date = os.environ.get("SOURCE_DATE_EPOCH") or "0"
    if not date.isdecimal():
        parser.error(f"SOURCE_DATE_EPOCH={date}: has to be seconds since 1970")
    options.date = int(date)
    return options


def program(text):
    words = text.split()
    # An expression has spaces; a package URL starts with its scheme.
    purl = words.pop() if words and words[-1].startswith("pkg:") else None
    if len(words) < 3:
        raise ValueError
    name, version, licence = words[0], words[1], " ".join(words[2:])
    return {
        "name": name,
        "version": version,
        "license": licence,
        "purl": purl or f"pkg:generic/{quoted(name)}@{quoted(version)}",
    }


def quoted(text):
    return urllib.parse.quote(text, safe="")


class Folder:
    """The files of a root that is a folder. Links in it never lead out of it."""

    def __init__(self, path):
        self.path = path

    def names(self, folder):
        try:
            return os.listdir(os.path.join(self.path, folder))
        except FileNotFoundError:
            return []

    def target(self, name):
        """Where a link leads, if it is one."""
        path = os.path.join(self.path, name)
        return os.readlink(path) if os.path.islink(path) else None

    def content(self, name):
        path = os.path.join(self.path, name)
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read()


class Tar:
    """The same of a root that is a tar. It is read once, from its start to its end."""

    WANTED = re.compile(r"var/lib/dpkg/status$|(usr/lib|etc)/os-release$|usr/share/doc/[^/]+(/copyright)?$")

    def __init__(self, path):
        self.contents, self.links = {}, {}
        with tarfile.open(path) as archive:
            for member in archive:
                name = posixpath.normpath(member.name)
                if not self.WANTED.match(name):
                    continue
                if member.issym():
                    self.links[name] = member.linkname
                elif member.isfile() or member.islnk():
                    self.contents[name] = archive.extractfile(member).read()

    def names(self, folder):
        start = folder + "/"
        known = list(self.contents) + list(self.links)
        return {name[len(start):].partition("/")[0] for name in known if name.startswith(start)}

    def target(self, name):
        return self.links.get(name)

    def content(self, name):
        return self.contents.get(name)


def read(root, name, hops=8):
    """A file's text, if it is there. Each part of its name may be a link."""
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        link = "/".join(parts[:end])
        target = root.target(link)
        if target is None:
            continue
        if not hops:
            return None
        place = posixpath.join("/" + posixpath.dirname(link), target, *parts[end:])
        return read(root, posixpath.normpath(place).lstrip("/"), hops - 1)
    content = root.content(name)
    return None if content is None else content.decode("utf-8", "replace")


def stanzas(text):
    """The stanzas of a file in Debian's control format, each a map of its fields' names in small letters."""
    for block in re.split(r"\n[ \t]*\n", text):
        fields, name = {}, None
        for line in block.splitlines():
            if line[:1] in (" ", "\t") and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line and not line.startswith("#"):
                name, _, value = line.partition(":")
                name = name.lower()
                fields[name] = value.strip()
        if fields:
            yield fields


def licence_names(text):
    """The licences that a copyright file gives for files; none where it is not in the format for machines."""
    parts = list(stanzas(text))
    if not parts or "copyright-format" not in parts[0].get("format", ""):
        return []
    found = {part["license"].split("\n")[0].strip() for part in parts if "license" in part and "files" in part}
    return sorted(name for name in found if name)


def identifier(name):
    """One licence in SPDX' words."""
    gnu = GNU.match(name)
    if gnu:
        family, major, minor, later = gnu.groups()
        ending = "or-later" if later in ("+", "-or-later") else "only"
        return f"{family.upper()}-{major}.{minor or 0}-{ending}"
    # An identifier has no plus.
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", name.replace("+", "-or-later"))
    return SPDX_NAMES.get(name.lower()) or "LicenseRef-Debian-" + plain.strip("-")


def expression(name):
    """`GPL-2+ or Artistic, and Expat` in SPDX' words: a comma binds less than `and` and `or`."""
    groups = []
    for group in re.split(r",\s*(?:and\s+)?", name):
        alternatives = []
        for alternative in re.split(r"\s+or\s+", group):
            both = [identifier(word) for word in re.split(r"\s+and\s+", alternative) if word]
            alternatives.append(" AND ".join(both))
        joined = " OR ".join(alternatives)
        groups.append(f"({joined})" if len(alternatives) > 1 else joined)
    return " AND ".join(group for group in groups if group)


def declared(root, package):
    text = read(root, f"usr/share/doc/{package}/copyright")
    names = licence_names(text) if text else []
    return " AND ".join(sorted({expression(name) for name in names})) or "NOASSERTION"


def system(root):
    """The distribution's name and version, as package URLs have them."""
    text = read(root, "etc/os-release") or read(root, "usr/lib/os-release") or ""
    found = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return found.get("ID", "debian"), found.get("VERSION_ID") or found.get("VERSION_CODENAME") or "unstable"


def debian_packages(root):
    distribution, release = system(root)
    status = read(root, "var/lib/dpkg/status")
    if status is None:
        raise ValueError("has no var/lib/dpkg/status: it is not a Debian system")
    for fields in stanzas(status):
        if not fields.get("status", "").endswith(" installed"):
            continue
        name, version, architecture = fields["package"], fields["version"], fields["architecture"]
        # `Source: glibc (2.41-12)`; without it, the binary package's own.
        source, _, source_version = fields.get("source", name).partition(" ")
        purl = f"pkg:deb/{distribution}/{quoted(name)}@{quoted(version)}"
        yield {
            "name": name,
            "version": version,
            "license": declared(root, name),
            "purl": f"{purl}?arch={architecture}&distro={distribution}-{release}",
            "sourceInfo": f"built from the source package {source} {source_version.strip('()') or version}",
            "supplier": f"Organization: {distribution.capitalize()}",
        }


def spdx_package(number, package):
    return {
        "SPDXID": f"SPDXRef-Package-{number}",
        "name": package["name"],
        "versionInfo": package["version"],
        "supplier": package.get("supplier", "NOASSERTION"),
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": package["license"],
        "copyrightText": "NOASSERTION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": package["purl"],
        }],
        **({"sourceInfo": package["sourceInfo"]} if "sourceInfo" in package else {}),
    }


def licence_texts(packages):
    """What SPDX wants to know of each licence that it has no name for."""
    names = {name for package in packages for name in re.findall(r"LicenseRef-[A-Za-z0-9.-]+", package["license"])}
    where = "The text is in /usr/share/doc/PACKAGE/copyright of each package that has this licence."
    return [{"licenseId": name, "name": name.removeprefix("LicenseRef-"), "extractedText": where} for name in sorted(names)]


def image(name):
    repository, _, tag = name.rpartition(":")
    purl = f"pkg:oci/{quoted(repository.rpartition('/')[2])}?repository_url={quoted(repository)}&tag={quoted(tag)}"
    package = spdx_package(0, {"name": repository, "version": tag, "license": "NOASSERTION", "purl": purl})
    return {**package, "SPDXID": "SPDXRef-Image", "primaryPackagePurpose": "CONTAINER"}


def document(options, packages):
    listed = [spdx_package(number, package) for number, package in enumerate(packages, 1)]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image")]
    relations += [("SPDXRef-Image", "CONTAINS", package["SPDXID"]) for package in listed]
    key = hashlib.sha256(json.dumps([options.name, options.date, packages], sort_keys=True).encode()).hexdigest()
    date = datetime.datetime.fromtimestamp(options.date, datetime.timezone.utc)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": options.name,
        # It has to be another one for another content, and nothing has to be there.
        "documentNamespace": f"{SOURCE}/sbom/{key}",
        "creationInfo": {"created": date.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: kubefarm-images-sbom.py"]},
        "packages": [image(options.name)] + listed,
        "hasExtractedLicensingInfos": licence_texts(packages),
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other} for one, kind, other in relations
        ],
    }


def found_packages(options):
    packages = {}
    for path in options.roots:
        root = Folder(path) if os.path.isdir(path) else Tar(path)
        try:
            for package in debian_packages(root):
                packages[package["purl"]] = package
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path}: {error}") from error
    for package in options.program:
        packages[package["purl"]] = package
    return sorted(packages.values(), key=lambda package: (package["name"], package["version"], package["purl"]))


def write(options):
    os.makedirs(options.output, exist_ok=True)
    with open(os.path.join(options.output, "sbom.spdx.json"), "w", encoding="utf-8") as file:
        json.dump(document(options, found_packages(options)), file, indent=1)
        file.write("\n")
    others = [f"  {one['name']} {one['version']}: {one['license']}\n" for one in options.program]
    with open(os.path.join(options.output, "README"), "w", encoding="utf-8") as file:
        file.writelines([NOTES] + sorted(others))


def main():
    options = arguments()
    try:
        write(options)
    except (OSError, ValueError, tarfile.TarError) as error:
        sys.exit(f"{sys.argv[0]}: {error}")


if __name__ == "__main__":
    main()
