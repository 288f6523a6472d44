"""Bodies of the XML API: read without a document type, and written."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from emulators.storage.calls import Reply
from emulators.storage.errors import invalid


def parsed(body: bytes) -> Element:
    """The root of a request's body.

    Raises:
        StorageError: 400, it is no XML, or has a document type.
    """
    if b"<!" in body:  # no DOCTYPE, so no entities that grow
        raise invalid("The request body must be XML without a document type.")
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise invalid(f"The request body must be XML: {error}.") from None


def leaf(parent: Element, name: str, text: str) -> None:
    """Add an element that holds nothing but text."""
    SubElement(parent, name).text = text


def xml_reply(root: Element) -> Reply:
    """An answer with this document."""
    body = b"<?xml version='1.0' encoding='UTF-8'?>" + ElementTree.tostring(root, encoding="utf-8")
    return Reply(200, body, {"content-type": "application/xml; charset=UTF-8"})
