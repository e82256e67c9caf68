package dev.spike.http;

import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathExpressionException;
import javax.xml.xpath.XPathFactory;

/** A pom.xml as it is written, with its own properties filled in. */
final class Pom {

    private final Document document;

    private Pom(Document document) {
        this.document = document;
    }

    static Pom read(Path file) throws Exception {
        return new Pom(DocumentBuilderFactory.newDefaultInstance()
                .newDocumentBuilder()
                .parse(file.toFile()));
    }

    boolean hasParent() {
        return !all("/project/parent").isEmpty();
    }

    String version() {
        return all("/project/version").get(0).getTextContent();
    }

    /** {@code group:artifact} to version; empty if it is managed elsewhere. */
    Map<String, String> dependencies() {
        return versions("/project/dependencies/dependency");
    }

    /** The same of those that it manages. */
    Map<String, String> managed() {
        return versions("/project/dependencyManagement/dependencies/dependency");
    }

    /** The same of the plugins that it uses or manages. */
    Map<String, String> plugins() {
        Map<String, String> plugins =
                versions("/project/build/pluginManagement/plugins/plugin[version]");
        plugins.putAll(versions("/project/build/plugins/plugin[version]"));
        return plugins;
    }

    private Map<String, String> versions(String path) {
        Map<String, String> versions = new TreeMap<>();
        for (Element one : all(path)) {
            versions.put(
                    text(one, "groupId") + ":" + text(one, "artifactId"), text(one, "version"));
        }
        return versions;
    }

    private String text(Element parent, String name) {
        for (Node child = parent.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child.getNodeName().equals(name)) {
                return filled(child.getTextContent());
            }
        }
        return "";
    }

    private String filled(String text) {
        if (!text.startsWith("${")) {
            return text;
        }
        String name = text.substring(2, text.length() - 1);
        return name.equals("project.version")
                ? version()
                : all("/project/properties/" + name).get(0).getTextContent();
    }

    private List<Element> all(String path) {
        try {
            NodeList nodes = (NodeList) XPathFactory.newDefaultInstance()
                    .newXPath()
                    .evaluate(path, document, XPathConstants.NODESET);
            List<Element> elements = new ArrayList<>();
            for (int i = 0; i < nodes.getLength(); i++) {
                elements.add((Element) nodes.item(i));
            }
            return elements;
        } catch (XPathExpressionException malformed) {
            throw new AssertionError(path, malformed);
        }
    }
}
