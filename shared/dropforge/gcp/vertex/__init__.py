"""`Platform` on Vertex AI, by the generated clients of google-cloud-aiplatform.

Not by its `aiplatform.Model` layer: that takes 1.5 s longer to import and looks at a running operation every few
seconds at best. See docs/decisions/0004-ask-a-challenger-on-a-staging-endpoint.md for how a model is asked that has no
traffic.
"""

from dropforge.gcp.vertex.inline import Inline
from dropforge.gcp.vertex.jobs import CustomJobs
from dropforge.gcp.vertex.platform import Vertex

__all__ = ["CustomJobs", "Inline", "Vertex"]
