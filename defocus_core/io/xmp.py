"""XMP packets: what a photographer wrote of a photograph, which stays true of a picture made of it."""

from __future__ import annotations

from xml.etree import ElementTree

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMP = "http://ns.adobe.com/xap/1.0/"
_DESCRIPTIVE = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": _XMP,
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "cc": "http://creativecommons.org/ns#",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
}
_OF_ITS_PIXELS = {f"{{{_XMP}}}Thumbnails"}
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_TAIL = '<?xpacket end="r"?>'

for _prefix, _namespace in {**_DESCRIPTIVE, "rdf": _RDF, "x": "adobe:ns:meta/"}.items():
    ElementTree.register_namespace(_prefix, _namespace)


def descriptive_packet(packet: bytes) -> bytes | None:
    """Return what an XMP packet says of a scene and its photographer: title, keywords, rating, rights, lens.

    What it says of its own file does not travel: orientation and size, the settings of a raw converter,
    thumbnails, gain maps and films appended to a file.

    Parameters
    ----------
    packet : as it lies in a photograph

    Returns
    -------
    a packet of UTF-8, read-only; None where nothing is left or it is no XMP

    References
    ----------
    ISO 16684-1, Extensible metadata platform (XMP)
    """
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, LookupError, ValueError):  # the latter two of its encoding
        return None
    descriptions = [child for rdf in root.iter(f"{{{_RDF}}}RDF") for child in rdf]
    if not sum(map(_strip, descriptions)):
        return None
    return f"{_HEAD}{ElementTree.tostring(root, encoding='unicode')}{_TAIL}".encode()


def _strip(description: ElementTree.Element) -> int:
    """Take away all properties that do not travel; return how many are left."""
    for child in list(description):
        if not _travels(child.tag):
            description.remove(child)
    for name in list(description.attrib):
        if not _travels(name) and not name.startswith(f"{{{_RDF}}}"):
            del description.attrib[name]
    return len(description) + sum(map(_travels, description.attrib))


def _travels(name: str) -> bool:
    namespace = name.removeprefix("{").partition("}")[0]
    return namespace in _DESCRIPTIVE.values() and name not in _OF_ITS_PIXELS
